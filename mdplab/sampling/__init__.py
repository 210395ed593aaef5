"""What is seen of a policy: trajectories and estimators.  Empty until random claims are judged."""
