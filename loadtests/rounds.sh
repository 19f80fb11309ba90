# rounds: comparing targets by the processor time that one request (or message, or connection) costs them, the target on one core
# and its client on another. For compare.sh here and that of bench/Netpoll, by `source`, after targets.sh.
#
# Each scenario is run in rounds. In a round every target has its turn, with a new process: checked, warmed up, measured.
# Targets are compared within a round, so that what the machine does meanwhile weighs on all of them.
#
#   read_options "NAME..." ARGUMENT...   --NAME VALUE sets NAME (- becomes _); then targets and scenarios are made arrays.
#                                        --no-build empties with_build
#   run_rounds                           calls `take_turn SCENARIO TARGET ROUND` for all of them
#   watched COMMAND...                   runs it, and sets target_cpu, the seconds of processor time that the target spent
#                                        meanwhile, and others, what neither it nor COMMAND took of the two cores, in per cent
#                                        of one
#   record SCENARIO TARGET ROUND COUNT RATE CPU SECONDS
#                                        how a turn went: COUNT requests took CPU seconds of processor time in SECONDS seconds
#   report SCENARIO UNIT BASE[:GOAL]...  the table, with the ratios to the targets BASE. netgo has "miss" behind one whose median
#                                        is above GOAL
#
# The script that sources this defines usage and take_turn, and sets targets, scenarios, rounds, server_core, client_core and
# results, the file that has a line for each turn.

with_build=1
ticks_per_second=$(getconf CLK_TCK)

read_options() {
    local known=" $1 " name
    shift
    while (($# > 0)); do
        case $1 in
            --no-build) with_build=; shift; continue ;;
            --help) usage; exit 0 ;;
        esac
        name=${1#--}
        [[ $1 == --* && $known == *" $name "* ]] || { usage >&2; exit 2; }
        (($# > 1)) || die "$1 needs a value"
        declare -g "${name//-/_}=$2"
        shift 2
    done
    IFS=, read -ra targets <<< "$targets"
    IFS=, read -ra scenarios <<< "$scenarios"
}

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
    local scenario target round
    mkdir -p "${results%/*}"
    printf 'scenario\ttarget\tround\tcount\tper second\tcpu us each\tcore %%\tothers %%\n' > "$results"
    for scenario in "${scenarios[@]}"; do
        for ((round = 1; round <= rounds; round++)); do
            for target in "${targets[@]}"; do
                echo "$scenario, round $round of $rounds: $target" >&2
                take_turn "$scenario" "$target" "$round"
            done
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
        function median_of(table, target,    n, round, values) {
            for (round = 1; round <= rounds; round++)
                values[++n] = table[target, round]
            return median(values, n)
        }
        # The median ratio to another target in the same round, and the least and the largest.
        function ratio(target, base, goal,    n, round, values, least, most, r) {
            if (!((base, 1) in cpu))
                return "-"
            for (round = 1; round <= rounds; round++) {
                r = cpu[target, round] / cpu[base, round]
                values[++n] = r
                if (n == 1 || r < least) least = r
                if (n == 1 || r > most) most = r
            }
            r = median(values, n)
            return sprintf("%.2fx (%.2f-%.2f)%s", r, least, most, target == "netgo" && goal && r > goal ? " miss" : "")
        }
        $1 == scenario {
            cpu[$2, $3] = $6; rate[$2, $3] = $5; busy[$2, $3] = $7
            if ($8 > others) others = $8
            if ($3 > rounds) rounds = $3
        }
        END {
            printf "\n%s, %d round%s\n", scenario, rounds, (rounds > 1 ? "s" : "")
            printf "%-16s %18s %13s %7s ", "target", "CPU us/" unit, unit "s/s", "core"
            base_count = split(bases, base, " ")
            for (i = 1; i <= base_count; i++) {
                split(base[i], parts, ":")
                base[i] = parts[1]; goal[i] = parts[2]
                printf "  %-23s", "to " base[i] " (min-max)"
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
                printf "The machine was not quiet: in one turn others took %.0f %% of a core from the two.\n", others
        }' "$results"
}
