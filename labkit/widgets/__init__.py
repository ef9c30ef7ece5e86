"""The same views, alive in a notebook: a picture that changes while a cell runs, a question to answer.

Outside a notebook these do the honest least: a picture that nobody sees is not drawn, a question is shown as
text. What a saved notebook keeps is always the text and HTML of a `View`, never a widget's state.
"""

from labkit.widgets.actions import Action, Buttons, Choice, Field
from labkit.widgets.choice import choose
from labkit.widgets.live import Live
from labkit.widgets.picture import Picture

__all__ = ["Action", "Buttons", "Choice", "Field", "Live", "Picture", "choose"]
