/** What a number of a row was over time, as a line of steps in a box of 1 by 1. Test: test/steps.test.ts. */
import type { FieldPoint } from "./answers.ts";
import { Digits } from "./json.ts";

export interface Step {
  x: number;
  y: number;
  point: FieldPoint;
}

export interface Steps {
  /** The line as the data of a path; it is broken where nothing is known or the row was not there. */
  line: (width: number, height: number) => string;
  dots: Step[];  // where it changed to a number
  least: string;
  most: string;
  from: string;  // the first change and the last one
  upto: string;
}

/** How much of the width stands before the first change and behind the last one, whatever time that was. */
const MARGIN = 0.06;

function numberOf(point: FieldPoint): Digits | null {
  return point.there && point.known && point.value instanceof Digits ? point.value : null;
}

/** Nothing where there is no change to a number. Points come oldest first. */
export function steps(points: readonly FieldPoint[]): Steps | null {
  const changes = points.filter((one) => one.change !== null);
  const [first, last] = [changes[0], changes.at(-1)];
  const numbers = points.map(numberOf).filter((one) => one !== null);
  if (first === undefined || last === undefined || !changes.some((one) => numberOf(one) !== null)) return null;
  let [least, most] = [numbers[0] as Digits, numbers[0] as Digits];
  for (const one of numbers) {
    if (Number(one.text) < Number(least.text)) least = one;
    if (Number(one.text) > Number(most.text)) most = one;
  }
  const [from, upto] = [Date.parse(first.at), Date.parse(last.at)];
  const x = (point: FieldPoint): number =>
    point.change === null ? 0 : upto > from ? MARGIN + ((Date.parse(point.at) - from) / (upto - from)) * (1 - 2 * MARGIN) : 0.5;
  const height = Number(most.text) - Number(least.text);
  const y = (value: Digits): number => (height > 0 && Number.isFinite(height) ? (Number(most.text) - Number(value.text)) / height : 0.5);
  const line = (width: number, tall: number): string => {
    let path = "";
    let isDrawn = false;
    for (const point of points) {
      const [value, at] = [numberOf(point), (x(point) * width).toFixed(1)];
      if (isDrawn) path += `H${at}`;
      if (value !== null) path += isDrawn ? `V${(y(value) * tall).toFixed(1)}` : `M${at} ${(y(value) * tall).toFixed(1)}`;
      isDrawn = value !== null;
    }
    return isDrawn ? `${path}H${width}` : path;
  };
  const dots = changes.flatMap((point): Step[] => {
    const value = numberOf(point);
    return value === null ? [] : [{ x: x(point), y: y(value), point }];
  });
  return { line, dots, least: least.text, most: most.text, from: first.at, upto: last.at };
}
