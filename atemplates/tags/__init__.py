"""How each Django tag is written as code, one module a family."""

from ..compiler.foreign import FOREIGN_TAGS
from .arguments import ARGUMENT_TAGS
from .blocktranslate import BLOCKTRANSLATE_TAGS
from .cache import CACHE_TAGS
from .computed import COMPUTED_TAGS
from .defer import DEFER_TAGS
from .flow import FLOW_TAGS
from .flush import FLUSH_TAGS
from .i18n import I18N_TAGS
from .ifchanged import IFCHANGED_TAGS
from .includes import INCLUDE_TAGS
from .inheritance import INHERITANCE_TAGS
from .inner_templates import INNER_TEMPLATES
from .languages import LANGUAGE_TAGS
from .library import LIBRARY_TAGS
from .links import LINK_TAGS
from .output import OUTPUT_TAGS
from .parallel import PARALLEL_TAGS
from .relations import RELATIONS_TAGS
from .static import STATIC_TAGS

FAMILIES = (
    FOREIGN_TAGS,
    OUTPUT_TAGS,
    FLOW_TAGS,
    IFCHANGED_TAGS,
    ARGUMENT_TAGS,
    COMPUTED_TAGS,
    LINK_TAGS,
    STATIC_TAGS,
    I18N_TAGS,
    LANGUAGE_TAGS,
    BLOCKTRANSLATE_TAGS,
    CACHE_TAGS,
    INHERITANCE_TAGS,
    INCLUDE_TAGS,
    INNER_TEMPLATES,
    LIBRARY_TAGS,
    RELATIONS_TAGS,
    PARALLEL_TAGS,
    DEFER_TAGS,
    FLUSH_TAGS,
)
"""All that the compiler knows of tags: an engine hands it to `use_families`."""
