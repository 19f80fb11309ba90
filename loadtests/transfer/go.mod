module netgo/loadtests/transfer

go 1.19
