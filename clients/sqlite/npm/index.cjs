/** Vestige's loadable extension for SQLite: where it is, and how it comes into a connection. Test: clients/typescript/test/sqlite_package.test.ts. */
"use strict";

class ExtensionUnavailable extends Error {
  get name() {
    return "ExtensionUnavailable";
  }
}

/** npm installs the package of this platform and no other: whichever is there is the one. */
const FILES = {
  linux: [`vestige-sqlite-linux-${process.arch}-gnu/vestige0.so`, `vestige-sqlite-linux-${process.arch}-musl/vestige0.so`],
  darwin: [`vestige-sqlite-darwin-${process.arch}/vestige0.dylib`],
  win32: [`vestige-sqlite-win32-${process.arch}/vestige0.dll`],
};

/** The extension's file, as a driver's loadExtension takes it. */
function getLoadablePath() {
  for (const file of FILES[process.platform] ?? []) {
    try {
      return require.resolve(file);
    } catch {
      // not installed
    }
  }
  throw new ExtensionUnavailable(`vestige: there is no extension for ${process.platform} on ${process.arch} here (was it installed without optional `
    + "dependencies?); the program `vestige` does the same, outside the connection");
}

/** Loads the extension into a database of better-sqlite3 or node:sqlite, leaves loading switched off, and gives the database back. */
function load(database) {
  const path = getLoadablePath();
  if (typeof database?.loadExtension !== "function") {
    throw new ExtensionUnavailable("vestige: this driver loads no extensions; better-sqlite3 does, and node:sqlite since Node 22.13");
  }
  if (typeof database.enableLoadExtension !== "function") {
    database.loadExtension(path);
    return database;
  }
  try {
    database.enableLoadExtension(true);
  } catch (error) {
    throw new ExtensionUnavailable("vestige: this database was opened without leave to load extensions: new DatabaseSync(file, { allowExtension: true })", { cause: error });
  }
  try {
    database.loadExtension(path);
  } finally {
    database.enableLoadExtension(false);
  }
  return database;
}

module.exports = { ExtensionUnavailable, getLoadablePath, load };
