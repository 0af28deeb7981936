/** A value of a document as the contract writes it: JSON without spaces, members by name, every digit. */
export function written(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(written).join(",")}]`;
  }
  if (typeof value === "object" && value !== null && !(value instanceof Number)) {
    return `{${Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([name, one]) => `${JSON.stringify(name)}:${written(one)}`).join(",")}}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
