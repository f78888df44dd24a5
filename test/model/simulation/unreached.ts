/** Transitions that no schedule can take, by what they read like, each with its reason. */
export const unreached: ReadonlyMap<string, string> = new Map<string, string>([]);
