import { largest, smallest } from "../extremes.ts";

/** Losses in nats a token: one a training step, and one of the held-out examples at each look. */
export type LossCurve = {
  losses: readonly number[];
  heldOut: readonly number[] /** Steps between two looks. */;
  every: number;
};

const WIDTH = 640;
const HEIGHT = 360;
const MARGIN = { left: 56, right: 16, top: 16, bottom: 44 };
/** Share of the past in the smoothed line. */
const MEMORY = 0.9;

/** A plot of the losses over the steps as SVG text: each step's pale, their moving average, and the held-out loss dashed. */
export function drawLosses({ losses, heldOut, every }: LossCurve): string {
  const all = [...losses, ...heldOut];
  const [highest, lowest] = [largest(all), smallest(all)];
  const x = (step: number) => MARGIN.left + (step / Math.max(1, losses.length)) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (loss: number) =>
    MARGIN.top + ((highest - loss) / (highest - lowest || 1)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const line = (points: readonly (readonly [number, number])[], style: string) =>
    `<polyline points="${points.map(([step, loss]) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(" ")}" fill="none" ${style}/>`;
  const looks = heldOut.map((loss, i) => [Math.min(losses.length, (i + 1) * every), loss] as const);
  const name = (text: string, row: number, colour: string) =>
    `<text x="${WIDTH - MARGIN.right}" y="${MARGIN.top + 14 + 18 * row}" text-anchor="end" fill="${colour}">${text}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    ...ticks(lowest, highest, y),
    line(
      losses.map((loss, i) => [i + 1, loss]),
      'stroke="#aed6f1"',
    ),
    line(
      smooth(losses).map((loss, i) => [i + 1, loss]),
      'stroke="#2471a3" stroke-width="2"',
    ),
    name("training", 0, "#2471a3"),
    ...(looks.length === 0
      ? []
      : [line(looks, 'stroke="#c0392b" stroke-width="2" stroke-dasharray="6 4"'), name("held out", 1, "#c0392b")]),
    `<text x="${MARGIN.left}" y="${HEIGHT - 26}" text-anchor="middle">0</text>`,
    `<text x="${WIDTH - MARGIN.right}" y="${HEIGHT - 26}" text-anchor="end">${losses.length}</text>`,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">step (loss in nats a token)</text>`,
    "</svg>\n",
  ].join("\n");
}

/** Exponential moving average, corrected for its beginning (Kingma and Ba 2015, section 3). */
function smooth(losses: readonly number[]): number[] {
  let mean = 0;
  return losses.map((loss, i) => {
    mean = MEMORY * mean + (1 - MEMORY) * loss;
    return mean / (1 - MEMORY ** (i + 1));
  });
}

function ticks(lowest: number, highest: number, y: (loss: number) => number): string[] {
  return Array.from({ length: 5 }, (_, i) => lowest + ((highest - lowest) * i) / 4).flatMap((loss) => [
    `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(loss).toFixed(1)}" y2="${y(loss).toFixed(1)}" stroke="#ddd"/>`,
    `<text x="${MARGIN.left - 6}" y="${y(loss).toFixed(1)}" dy="4" text-anchor="end">${loss.toPrecision(3)}</text>`,
  ]);
}
