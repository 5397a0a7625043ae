module wf-host/wf

go 1.24
