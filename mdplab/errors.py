"""What can be wrong with an input, each said in one sentence that names where and what was expected."""


class MdplabError(Exception):
    """Base of every error that mdplab raises about its input; the command line exits with 2."""


class ModelError(MdplabError, ValueError):
    """A model's arrays do not describe what the model class promises."""


class TheoremError(MdplabError):
    """A theorem file is wrong: a quantity is missing, is not a number, or has the wrong shape."""


class InstanceError(MdplabError, ValueError):
    """An instance cannot be found, read or understood."""


class MissingExtra(MdplabError, ImportError):
    """An optional package is needed here; the message names the extra that installs it."""
