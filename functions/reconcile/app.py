"""Step Reconcile: decides what a failed step means for the post."""

from publisher.step import step
from publisher.use_cases.reconcile import reconcile

handler = step(reconcile)
