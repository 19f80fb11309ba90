import { add, failedChecks } from "./state.ts";

export function check<T>(value: T, sets: { [description: string]: (value: T) => boolean }): boolean {
    let all = true;
    for (const [description, holds] of Object.entries(sets)) {
        const held = holds(value);
        add("checks", held ? 1 : 0, { check: description });
        if (!held) failedChecks.add(description);
        all &&= held;
    }
    return all;
}
