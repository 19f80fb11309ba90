module netgo/loadtests/clients/go

go 1.19
