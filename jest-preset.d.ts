// The types of the jest preset, for a jest configuration that imports it.

declare const preset: { moduleNameMapper: Record<string, string> };

export = preset;
