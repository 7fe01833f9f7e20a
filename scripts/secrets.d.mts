export function missingSecrets(isGiven: (name: string) => boolean): string[];
export function keepSecret(folder: string, name: string): string;
export function readSecret(folder: string, name: string): string | undefined;
export function replacePrivate(file: string, text: string, owner?: number): void;
export function makePrivateTree(folder: string): void;
export function makePrivateFolder(folder: string): void;
