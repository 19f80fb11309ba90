module netgo/bench/netpoll

go 1.19
