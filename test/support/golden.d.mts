export const ROOT: string;
export const PROGRAM: string;
export function samples(): string[];
export function expectedReports(sample: string): { path: string; text: string }[];
export function shortName(path: string): string;
