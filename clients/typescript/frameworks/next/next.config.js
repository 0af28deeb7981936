import path from "node:path";

/** The drivers are Node's own modules; they are in the folder above. */
export default { serverExternalPackages: ["pg", "vestige-audit"], turbopack: { root: path.resolve("../..") } };
