"""How a lesson works: an exact starting point, questions before the reveal, exercises that check themselves.

A lesson's text is its notebook; what the notebook cannot hold is here: what the starting point is, what the
right answers are and why, and how to see in the cluster and in Git that an exercise is done. The room is given
a lab (`Workbench` says what it needs of one) and is handed out by it: ``lab.lesson("00")``.
"""

from labkit.lessons.catalogue import find, lessons, standing, standing_shown
from labkit.lessons.lesson import Lesson

__all__ = ["Lesson", "find", "lessons", "standing", "standing_shown"]
