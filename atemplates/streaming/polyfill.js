// Does for <template for="x"> what the parser of a browser that knows it has done by now. Lines that
// begin with // and the spaces at the beginning of lines are not sent, nor are the line breaks.
// What a browser makes of <?start name="x">: a comment (8), or a processing instruction (7).
(d=>{
  let read=n=>n.nodeType==8?n.data:n.nodeType==7?"?"+n.target+" "+n.data:"",
  place=()=>{
    for(let t of d.querySelectorAll("template[for]"))
      // What follows the template says that all of it has arrived.
      if(t.nextSibling){
        let w=d.createTreeWalker(d,192),s,e,p,i=0,n=t.nextSibling;
        while((s=w.nextNode())&&read(s)!='?start name="'+t.getAttribute("for")+'"');
        if(s){
          p=s.parentNode;
          while((e=s.nextSibling)&&(/^\?start\b/.test(read(e))?++i:!/^\?end\b/.test(read(e))||i--))e.remove();
          p.insertBefore(t.content,e);
          s.remove();
          e&&e.remove();
          n.nodeType==8&&!n.data&&n.remove();
          t.remove();
          // For the others, and for what is for placeholders in this.
          return place()
        }
      }
  },
  o=new MutationObserver(place);
  o.observe(d,{childList:true,subtree:true});
  // A browser may call this before the observer, whose last news would be lost.
  d.addEventListener("DOMContentLoaded",()=>{place();o.disconnect()});
  d.currentScript.remove()
})(document)
