/** The policy of a table in words. Test: test/policy.test.ts. */
import { isObject, type Json, type Members, members } from "./json.ts";

function words(value: Json): string {
  if (Array.isArray(value)) return value.map(words).join(", ");
  if (isObject(value)) return members(value).map(([name, one]) => (one === true ? name : `${name} (${words(one)})`)).join(", ");
  return value === null ? "" : String(value);
}

/** ["encrypt", "ssn (phi)"], ["exclude", "updated_at"]; what is not so is not said. */
export function policyWords(policy: Members): [string, string][] {
  return members(policy).flatMap(([name, value]): [string, string][] => {
    if (value === false || value === null || (Array.isArray(value) && value.length === 0)) return [];
    return [[name.replaceAll("_", " "), value === true ? "" : words(value)]];
  });
}
