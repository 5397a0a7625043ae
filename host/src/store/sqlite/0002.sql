create index run_ended on run (completed_at) where completed_at is not null;
