module netgo/loadtests/start/go

go 1.19
