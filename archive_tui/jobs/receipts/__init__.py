"""What a job leaves in the hands of a person, and how results are written down."""
