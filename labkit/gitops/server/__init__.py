"""What Argo CD's API server does: whoever asks is judged by the policy first, and then it is done.

The controller knows no users, as Argo CD's does not; here they come in. Every method takes the `Caller`. What they may
not see is not there for them: lists leave it out, and a refusal does not tell whether it exists. What they may see but
not do is refused in the words of the policy. HTTP and the web page are above this room, and have no other way in.

Source of the rules: server/application, server/project, server/applicationset and server/account in Argo CD 3.6.
"""

from labkit.gitops.server.server import Server

__all__ = ["Server"]
