# rounds: comparing targets by the processor time that one request (or message, or connection) costs them, the target on one core
# and its client on another. For compare.sh here and that of bench/Netpoll, by `source`, after targets.sh.
#
# Each scenario is run in rounds. In a round every target is a new process: started, checked, warmed up. They all stay until its end,
# and are measured in turn, several times each: in slices. Targets are compared within a slice, which is so short that what the
# machine does meanwhile weighs on all of them; a process that came out slow weighs on one round only.
#
#   run_rounds                           calls `begin_target SCENARIO TARGET`, for all targets, with target_port set: start and warm up;
#                                        then `measure_target SCENARIO TARGET SLICE`, with target_pid and target_port set, for all
#                                        again and again; and `end_target SCENARIO TARGET`
#   watched COMMAND...                   runs it, and sets target_cpu, the seconds of processor time that the target spent
#                                        meanwhile, and others, what neither it nor COMMAND took of the two cores, in per cent
#                                        of one
#   record SCENARIO TARGET SLICE COUNT RATE CPU SECONDS
#                                        how a slice went: COUNT requests took CPU seconds of processor time in SECONDS seconds
#   report SCENARIO UNIT BASE[:GOAL]...  the table, with the ratios to the targets BASE. netgo has "miss" behind one whose median
#                                        is above GOAL
#
# The script that sources this defines the three, and sets the arrays targets and scenarios, and rounds, slices, port (the first target's; the
# others have those after it), server_core, client_core and results, the file that has a line for each slice.

ticks_per_second=$(getconf CLK_TCK)

# Processor time that the two cores have spent on anything, in clock ticks.
busy_ticks() {
    awk -v server="cpu$server_core" -v client="cpu$client_core" '
        $1 == server || $1 == client {sum += $2 + $3 + $4 + $7 + $8 + $9}
        END {print sum}' /proc/stat
}

watched() {
    local busy ticks from=$EPOCHREALTIME TIMEFORMAT='%U %S'
    busy=$(busy_ticks)
    ticks=$(target_ticks)
    { time "$@" 2>&3; } 3>&2 2> "$scratch/watched"
    ticks=$(($(target_ticks) - ticks))
    busy=$(($(busy_ticks) - busy))
    read -r target_cpu others < <(awk -v busy="$busy" -v ticks="$ticks" -v per_second="$ticks_per_second" -v from="$from" \
        -v to="$EPOCHREALTIME" '{
            others = ((busy - ticks) / per_second - $1 - $2) / (to - from) * 100
            print ticks / per_second, (others > 0 ? others : 0)
        }' "$scratch/watched")
}

record() {
    awk -v OFS='\t' -v scenario="$1" -v target="$2" -v round="$3" -v count="$4" -v rate="$5" -v cpu="$6" -v seconds="$7" \
        -v others="$others" 'BEGIN {
            print scenario, target, round, count, rate, cpu * 1e6 / count, cpu / seconds * 100, others
        }' >> "$results"
}

run_rounds() {
    local scenario target round slice i pids
    mkdir -p "${results%/*}"
    printf 'scenario\ttarget\tslice\tcount\tper second\tcpu us each\tcore %%\tothers %%\n' > "$results"
    for scenario in "${scenarios[@]}"; do
        for ((round = 0; round < rounds; round++)); do
            pids=()
            echo "$scenario, round $((round + 1)) of $rounds" >&2
            for i in "${!targets[@]}"; do
                target_port=$((port + i))
                begin_target "$scenario" "${targets[i]}"
                pids+=("$target_pid")
            done
            for ((slice = 1; slice <= slices; slice++)); do
                for i in "${!targets[@]}"; do
                    target_port=$((port + i))
                    target_pid=${pids[i]}
                    measure_target "$scenario" "${targets[i]}" $((round * slices + slice))
                done
            done
            for i in "${!targets[@]}"; do
                target_port=$((port + i))
                target_pid=${pids[i]}
                kill -0 "$target_pid" || die "${targets[i]}, $scenario: the server died"
                end_target "$scenario" "${targets[i]}"
            done
            stop_targets
        done
    done
}

report() {
    local scenario=$1 unit=$2
    shift 2
    awk -F '\t' -v scenario="$scenario" -v unit="$unit" -v order="${targets[*]}" -v bases="$*" '
        function median(values, n,    i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && values[j - 1] > values[j]; j--) {
                    t = values[j]; values[j] = values[j - 1]; values[j - 1] = t
                }
            return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
        }
        function median_of(table, target,    n, slice, values) {
            for (slice = 1; slice <= slices; slice++)
                values[++n] = table[target, slice]
            return median(values, n)
        }
        # The median ratio to another target in the same slice, and between what half of the slices are.
        function ratio(target, base, goal,    n, slice, values, r) {
            if (!((base, 1) in cpu))
                return "-"
            for (slice = 1; slice <= slices; slice++) {
                r = cpu[target, slice] / cpu[base, slice]
                values[++n] = r
            }
            r = median(values, n)
            return sprintf("%.2fx (%.2f-%.2f)%s", r, values[int((n + 3) / 4)], values[int((3 * n + 3) / 4)],
                target == "netgo" && goal && r > goal ? " miss" : "")
        }
        $1 == scenario {
            cpu[$2, $3] = $6; rate[$2, $3] = $5; busy[$2, $3] = $7
            if ($8 > others) others = $8
            if ($3 > slices) slices = $3
        }
        END {
            printf "\n%s, %d slice%s\n", scenario, slices, (slices > 1 ? "s" : "")
            printf "%-16s %18s %13s %7s ", "target", "CPU us/" unit, unit "s/s", "core"
            base_count = split(bases, base, " ")
            for (i = 1; i <= base_count; i++) {
                split(base[i], parts, ":")
                base[i] = parts[1]; goal[i] = parts[2]
                printf "  %-23s", "to " base[i] " (quartiles)"
            }
            print ""
            count = split(order, names, " ")
            for (n = 1; n <= count; n++) {
                printf "%-16s %18.3f %13.0f %6.0f%% ", names[n], median_of(cpu, names[n]), median_of(rate, names[n]), \
                    median_of(busy, names[n])
                for (i = 1; i <= base_count; i++)
                    printf "  %-23s", ratio(names[n], base[i], goal[i])
                print ""
            }
            if (others > 10)
                printf "The machine was not quiet: in one slice others took %.0f %% of a core from the two.\n", others
        }' "$results"
}
