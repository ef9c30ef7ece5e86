"""What every control loop needs: a clock, a work queue, a view of the cluster that is kept fresh, and back-off.

There is one pattern, ``reconcile(key)``: look at what is wanted, look at what is, do the next step, forget.
It is level-triggered: a key says only *which* object to look at, never what happened to it, so an event that was
missed or came twice does no harm. The sandbox's controllers and the GitOps controller are both written so.
"""
