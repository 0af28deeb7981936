/** What scrolls sideways fades where there is more of it. */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** Some devices scroll by parts of a pixel. */
const NONE = 1;

function fadesOf(box: HTMLElement): string {
  const at = Math.abs(box.scrollLeft);  // from the right it counts down
  const more = box.scrollWidth - box.clientWidth - at;
  return [at > NONE ? "fades-before" : "", more > NONE ? "fades-after" : ""].filter((name) => name !== "").join(" ");
}

export function useFades<T extends HTMLElement>(): { box: RefObject<T | null>; fades: string } {
  const box = useRef<T>(null);
  const [fades, setFades] = useState("");
  useEffect(() => {
    const of = box.current;
    if (of === null) return undefined;
    const look = (): void => setFades(fadesOf(of));
    const sizes = new ResizeObserver(look);
    for (const one of [of, ...of.children]) sizes.observe(one);
    of.addEventListener("scroll", look, { passive: true });
    return () => {
      sizes.disconnect();
      of.removeEventListener("scroll", look);
    };
  }, []);
  return { box, fades };
}
