module netgo/bench/experiments

go 1.19
