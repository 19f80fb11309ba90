module netgo/bench/scheduler

go 1.19
