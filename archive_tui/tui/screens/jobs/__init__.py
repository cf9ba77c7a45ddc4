"""The screens of the jobs: the queue, one job in full, its receipt, and the tray of what somebody has to decide."""
