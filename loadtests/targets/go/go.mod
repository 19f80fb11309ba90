module netgo/loadtests/targets/go

go 1.19
