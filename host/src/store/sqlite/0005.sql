-- Runs that wait for something from outside, and those that only go on, each as a list of its own. They have no more rows than
-- runs that have not ended; that a run goes on waiting as before touches none of them.
create index run_waits on run (newest) where status = 'running' and waiting is not null;
create index run_waits_of on run (newest, workflow) where status = 'running' and waiting is not null;
create index run_goes_on on run (newest) where status = 'running' and waiting is null;
create index run_goes_on_of on run (newest, workflow) where status = 'running' and waiting is null;

-- Lists by time.
create index run_started on run (started_at);
create index run_ended on run (completed_at) where completed_at is not null;
