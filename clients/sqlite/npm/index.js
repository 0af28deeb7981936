import extension from "./index.cjs";

export const { ExtensionUnavailable, getLoadablePath, load } = extension;
