"""Which elements a browser has open after each tag, also where tags are left out or misnested.

The rules are those of the HTML standard, chapter "Tree construction". Where one would need the
whole of a browser's parser, as for formatting that goes on behind the element it was opened in,
that is noted as not certain (`OpenElements.loose`).
"""

from collections.abc import Set
from dataclasses import dataclass

from .tag_text import is_self_closing


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOID = _names(
    "area base basefont bgsound br col embed frame hr image img input keygen link meta param "
    "source track wbr"
)
# What is in these is text up to their own end tag.
RAW = _names("script style textarea title xmp iframe noembed noframes noscript plaintext")
IN_HEAD = _names(
    "base basefont bgsound link meta title style script noscript noframes template html head"
)
HEADINGS = _names("h1 h2 h3 h4 h5 h6")
# Their start tag ends an open paragraph.
CLOSES_PARAGRAPH = HEADINGS | _names(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure "
    "footer header hgroup main menu nav ol p search section summary ul pre listing form table hr "
    "xmp plaintext li dd dt"
)
FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
SECTIONS = _names("tbody thead tfoot")
TABLE_PARTS = SECTIONS | _names("caption colgroup td th tr")
TABLE_CONTEXT = SECTIONS | {"table", "tr"}
SCOPE = _names("applet caption html table td th marquee object select template body")
SPECIAL_ELEMENTS = (
    SCOPE
    | CLOSES_PARAGRAPH
    | TABLE_PARTS
    | _names("button form iframe optgroup option summary textarea xmp")
) - {"optgroup", "option"}
# Formatting that was opened in these does not go on behind them.
ENDS_FORMATTING = _names("applet caption marquee object td template th")
# Their end tag looks past other elements, up to the end of the scope.
BLOCKS = (CLOSES_PARAGRAPH | TABLE_PARTS | {"button", "select", "object", "marquee", "applet"}) - {
    *("hr", "xmp", "plaintext")
}
# Inside SVG and MathML these start tags end that.
BREAKS_OUT = HEADINGS | _names(
    "b big blockquote body br center code dd div dl dt em embed head hr i img li listing menu meta "
    "nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
# Inside SVG and MathML these hold HTML.
HOLDS_HTML = _names("foreignobject desc title mi mo mn ms mtext annotation-xml")
# Elements that begin and end by their own tags and are in the text.
IN_TEXT = (FORMATTING - {"a", "nobr"}) | _names("abbr cite dfn kbd label q span sub sup time var")
# Inside of these no paragraph is open that a tag could end.
NO_PARAGRAPH = (CLOSES_PARAGRAPH | _names("body td th")) - HEADINGS - RAW - _names("p hr table pre")
# By the current element, the start tags that open an element in it and do nothing else.
OPENS_IN = {
    **dict.fromkeys(HEADINGS | IN_TEXT | {"a", "p", "pre"}, IN_TEXT),
    **dict.fromkeys(NO_PARAGRAPH, IN_TEXT | (CLOSES_PARAGRAPH - RAW - _names("hr form li dd dt"))),
    **dict.fromkeys(("ul", "ol", "menu"), IN_TEXT | {"li"}),
    "dl": IN_TEXT | {"dt", "dd", "div"},
    "table": SECTIONS,
    **dict.fromkeys(SECTIONS, frozenset({"tr"})),
    "tr": frozenset({"td", "th"}),
    "select": frozenset({"option", "optgroup"}),
    "optgroup": frozenset({"option"}),
}
# Browsers open no more elements in each other than about this many.
MOST_OPEN = 500


@dataclass(slots=True, eq=False)
class Element:
    """An element that was opened.

    Attributes:
        name: of the tag, in lower case.
        parent: the element it is in, None for the body.
        foreign: whether it is SVG's or MathML's.
    """

    name: str
    parent: "Element | None"
    foreign: bool = False


class OpenElements:
    """The elements that are open, the body first.

    Attributes:
        stack: them, from the outermost to the current one.
        fragment: whether the first stands for an element that is not known, which may be a table.
        in_body: whether the body has begun, by its tag or by what can only be in it.
        raw: the elements whose content is text.
        unknown: whether nothing can be said of the document: it is a frameset, which has no body,
            or nested more deeply than browsers follow.
        fostered: whether something has come that a table cannot hold, and stands in front of it.
        loose: formatting elements whose end tag is still to come, though what they were in has
            ended; the browser opens them again wherever text follows.
        lowest: the least number of elements that were open since this was last set.
    """

    def __init__(self, scripting: bool = True, fragment: bool = False) -> None:
        self.fragment = fragment
        self.raw = RAW if scripting else RAW - {"noscript"}
        self.stack = [Element("body", None)]
        self.in_body = fragment
        self.unknown = False
        self.fostered = False
        self.loose: list[str] = []
        self.lowest = 1

    def copy(self) -> "OpenElements":
        """The same elements, to try on them what would be open after some text."""
        twin = OpenElements()
        twin.raw, twin.fragment = self.raw, self.fragment
        twin.stack = self.stack.copy()
        twin.in_body, twin.unknown, twin.lowest = self.in_body, self.unknown, self.lowest
        twin.fostered = self.fostered
        twin.loose = self.loose.copy()
        return twin

    @property
    def current(self) -> Element:
        """The innermost open element."""
        return self.stack[-1]

    @property
    def in_foreign(self) -> bool:
        """Whether a tag now would be SVG's or MathML's."""
        return self.current.foreign and self.current.name not in HOLDS_HTML

    def text(self) -> None:
        """Do what text does that is not only space."""
        self.in_body = True
        if self.current.name in TABLE_CONTEXT:
            self.fostered = True

    def cut(self, length: int) -> None:
        """Close elements until this many are open, at least the body."""
        length = max(length, 1)
        for element in self.stack[length:]:
            if element.name in FORMATTING and not element.foreign:
                self.loose.append(element.name)
        del self.stack[length:]
        self.lowest = min(self.lowest, length)

    def find(self, names: Set[str], until: Set[str]) -> int:
        """Where the innermost of some elements stands, 0 where one of ``until`` is further in."""
        for index in range(len(self.stack) - 1, 0, -1):
            element = self.stack[index]
            if element.foreign:
                if until and element.name in HOLDS_HTML:
                    return 0
            elif element.name in names:
                return index
            elif element.name in until:
                return 0
        return 0

    def close(self, names: Set[str], until: Set[str]) -> bool:
        """Close the innermost of some elements with all that is in it, where there is one."""
        index = self.find(names, until)
        if index:
            element = self.stack[index]
            self.lowest = min(self.lowest, index)
            if element.name in ENDS_FORMATTING:
                del self.stack[index:]
            else:
                del self.stack[index]
                self.cut(index)
        return bool(index)

    def push(self, name: str, foreign: bool = False) -> None:
        """Open an element, in the current one or where a browser puts what no table holds."""
        parent = self.stack[-1]
        if not foreign and parent.name in TABLE_CONTEXT and name not in TABLE_PARTS:
            table = self.find({"table"}, {"template"})
            if table and name not in ("template", "script", "style"):
                parent = self.stack[table - 1]
                self.fostered = True
        self.stack.append(Element(name, parent, foreign))
        if len(self.stack) > MOST_OPEN and not self.fragment:
            self.unknown = True
            self.cut(1)

    def start(self, name: str, attributes: str) -> bool:
        """Do what a start tag does.

        Args:
            name: of the tag, in lower case.
            attributes: what stands between that and the tag's end.

        Returns:
            Whether what follows is text up to the element's end tag.
        """
        current = self.stack[-1]
        if (
            name in OPENS_IN.get(current.name, ())
            and not current.foreign
            and self.in_body
            and len(self.stack) < MOST_OPEN
        ):
            self.stack.append(Element(name, current))
            return False
        self_closing = attributes[-1:] == "/" and is_self_closing(attributes)
        if not self.in_body:
            if name == "frameset":
                self.unknown = True
            if name not in IN_HEAD:
                self.in_body = True
        if self.in_foreign:
            if name not in BREAKS_OUT:
                if not self_closing:
                    self.push(name, foreign=True)
                return False
            while self.in_foreign:
                self.cut(len(self.stack) - 1)
        if name in ("html", "head", "body", "frameset"):
            return False
        self._end_implied(name)
        if name in self.raw:
            self.push(name)
            return True
        if name in TABLE_PARTS and not self._open_table_part(name):
            return False
        if name in VOID:
            if self.current.name in TABLE_CONTEXT and name != "col":
                self.fostered = True
            return False
        if name == "form" and self.find({"form"}, {"template"}):
            return False
        if name in ("svg", "math"):
            if not self_closing:
                self.push(name, foreign=True)
            return False
        self.push(name)
        return False

    def _end_implied(self, name: str) -> None:
        """Close what the start tag of another element ends."""
        if name in ("li", "dd", "dt"):
            names = {"li"} if name == "li" else {"dd", "dt"}
            self.close(names, SPECIAL_ELEMENTS - {"address", "div", "p"} - names)
        if name in CLOSES_PARAGRAPH:
            self.close({"p"}, SCOPE | {"button"})
        current = self.current.name
        if (name in HEADINGS and current in HEADINGS) or (name == "option" == current):
            self.cut(len(self.stack) - 1)
        elif name in ("optgroup", "hr"):
            self._end_options(name)
        elif name in ("a", "nobr"):
            self._end_formatting(name)
        elif name == "button":
            self.close({name}, SCOPE)
        elif name in ("select", "input", "textarea", "keygen"):
            self.close({"select"}, {"template"})

    def _end_options(self, name: str) -> None:
        """Close what ``<optgroup>`` ends, and in a select ``<hr>``."""
        in_select = self.find({"select"}, {"template"})
        if self.current.name == "option" and (in_select or name == "optgroup"):
            self.cut(len(self.stack) - 1)
        if self.current.name == "optgroup" and in_select:
            self.cut(len(self.stack) - 1)

    def _open_table_part(self, name: str) -> bool:
        """Close and open what the start tag of a table's part does; False where it is ignored."""
        root = self.find({"table"}, {"template"}) or self.find({"template"}, set())
        if not root and not self.fragment:
            return False
        inside = {"tr": SECTIONS, "td": {"tr"}, "th": {"tr"}}.get(name, set())
        if self.stack[root].name != "table":
            # What a template holds may be parts of a table with no table around them.
            self.cut((self.find(inside, {"template"}) or root) + 1)
            return True
        at = root
        for index in range(len(self.stack) - 1, root, -1):
            if self.stack[index].name in inside:
                at = index
                break
        else:
            if name in ("td", "th"):
                sections = [
                    i for i in range(root + 1, len(self.stack)) if self.stack[i].name in SECTIONS
                ]
                at = sections[-1] if sections else root
        self.cut(at + 1)
        if at == root and inside:
            self.push("tbody")
        if name in ("td", "th") and self.current.name in SECTIONS:
            self.push("tr")
        return True

    def end(self, name: str) -> bool:
        """Do what an end tag does.

        Returns:
            Whether it has ended an element that was open.
        """
        if self.stack[-1].name == name and len(self.stack) > 1:
            self.stack.pop()
            if len(self.stack) < self.lowest:
                self.lowest = len(self.stack)
            return True
        if name in ("body", "html", "head"):
            return False
        if self.current.foreign:
            for index in range(len(self.stack) - 1, 0, -1):
                element = self.stack[index]
                if not element.foreign:
                    break
                if element.name == name:
                    self.cut(index)
                    return True
            if name in ("p", "br"):
                while self.in_foreign:
                    self.cut(len(self.stack) - 1)
        if name in self.loose and not self.find({name}, SCOPE):
            self.loose.remove(name)
            return True
        if name == "template":
            return self.close({"template"}, set())
        if name in HEADINGS:
            return self.close(HEADINGS, SCOPE)
        if name in TABLE_PARTS or name == "table":
            return self.close({name}, {"table", "template"} - {name})
        if name == "form":
            index = self.find({"form"}, SCOPE)
            if index:
                del self.stack[index]
                self.lowest = min(self.lowest, index)
            return bool(index)
        if name in BLOCKS:
            until = SCOPE - {name}
            if name == "p":
                until = until | {"button"}
            elif name == "li":
                until = until | {"ol", "ul"}
            return self.close({name}, until)
        if name in FORMATTING:
            return self._end_formatting(name)
        return self.close({name}, SPECIAL_ELEMENTS - {name})

    def _end_formatting(self, name: str) -> bool:
        """End a formatting element, also from inside a block that was opened in it."""
        index = self.find({name}, SCOPE)
        if not index:
            return False
        blocks = [
            element for element in self.stack[index + 1 :] if element.name in SPECIAL_ELEMENTS
        ]
        if not blocks:
            return self.close({name}, SCOPE)
        # The block stays open, and what else has formatted it is opened again around it.
        if any(element.name in FORMATTING for element in self.stack[index + 1 :]):
            self.loose.append("")
        del self.stack[index]
        self.lowest = min(self.lowest, index)
        return True
