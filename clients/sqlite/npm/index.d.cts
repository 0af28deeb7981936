/** The extension cannot be loaded here; the message says why, and what can be done about it. */
export declare class ExtensionUnavailable extends Error {}

/** The extension's file, as a driver's loadExtension takes it. */
export declare function getLoadablePath(): string;

/** Loads the extension into a database of better-sqlite3 or node:sqlite, leaves loading switched off, and gives the database back. */
export declare function load<T extends object>(database: T): T;
