"""The queue of all jobs of a user, in a database that several processes share."""

from archive_tui.jobs.queue.job_queue import JobQueue, open_job_queue

__all__ = ["JobQueue", "open_job_queue"]
