import { now } from "./state.ts";

export default {
    scenario: {
        get name(): string {
            return now.scenario;
        },
        get startTime(): number {
            return now.startTime;
        },
        get iterationInTest(): number {
            return now.iteration;
        },
    },
};
