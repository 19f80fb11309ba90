import { add, kinds, type Kind } from "./state.ts";

class Metric {
    private readonly name: string;

    constructor(name: string, kind: Kind) {
        this.name = name;
        kinds.set(name, kind);
    }

    add(value: number | boolean, tags?: { [tag: string]: string }): void {
        add(this.name, Number(value), tags);
    }
}

export class Counter extends Metric {
    constructor(name: string) {
        super(name, "counter");
    }
}

export class Trend extends Metric {
    constructor(name: string, _isTime?: boolean) {
        super(name, "trend");
    }
}
