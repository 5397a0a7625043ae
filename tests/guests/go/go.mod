module guests

go 1.24

require wf-host/wf v0.0.0

replace wf-host/wf => ../../../guest-sdk/go
