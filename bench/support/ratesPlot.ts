import { drawnErrorRates } from "../../protocol/committee.ts";
import type { Terms } from "../../protocol/terms.ts";
import { aggregateVote, type Rates } from "./committees.ts";

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = { left: 70, right: 20, top: 20, bottom: 68 };
/** Malicious shares of the horizontal axis, and powers of ten of the vertical one. */
const SHARES = { from: 0.05, to: 0.45, step: 0.01 };
const LOWEST = -6;

/** A plot of both error rates against the malicious share, ours drawn through and FLock's dashed, as SVG text. */
export function drawRates(terms: Terms, operators: number): string {
  const ours = (malicious: number) => drawnErrorRates(terms, { malicious, operators });
  const curves: readonly (readonly [string, string, (rates: Rates) => number])[] = [
    ["poison accepted", "#c0392b", (rates) => rates.poisonAccepted],
    ["honest blocked", "#2471a3", (rates) => rates.honestBlocked],
  ];
  const lines = curves.flatMap(([name, colour, rate], i) => [
    curve((share) => rate(ours(share)), `stroke="${colour}"`),
    curve((share) => rate(aggregateVote(share)), `stroke="${colour}" stroke-dasharray="6 4"`),
    `<text x="${MARGIN.left + 12}" y="${MARGIN.top + 18 + 18 * i}" fill="${colour}">${name}</text>`,
  ]);
  const caption = `${terms.expectedVoters} seats, ${terms.acceptBps / 100} %, ${operators} operators (dashed: FLock, 10 voters, one vote on the aggregate)`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    ...axes(),
    ...lines,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 28}" text-anchor="middle">malicious share of the voters' stake</text>`,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">${caption}</text>`,
    "</svg>\n",
  ].join("\n");
}

const xOf = (share: number) =>
  MARGIN.left + ((share - SHARES.from) / (SHARES.to - SHARES.from)) * (WIDTH - MARGIN.left - MARGIN.right);
const yOf = (rate: number) =>
  MARGIN.top + (Math.log10(Math.max(rate, 10 ** LOWEST)) / LOWEST) * (HEIGHT - MARGIN.top - MARGIN.bottom);

function curve(rate: (share: number) => number, style: string): string {
  const count = Math.round((SHARES.to - SHARES.from) / SHARES.step);
  const points = Array.from({ length: count + 1 }, (_, i) => SHARES.from + i * SHARES.step)
    .map((share) => `${xOf(share).toFixed(1)},${yOf(rate(share)).toFixed(1)}`)
    .join(" ");
  return `<polyline points="${points}" fill="none" stroke-width="2" ${style}/>`;
}

function axes(): string[] {
  const rows = Array.from({ length: 1 - LOWEST }, (_, i) => -i).flatMap((power) => {
    const y = yOf(10 ** power).toFixed(1);
    const label = `${Number((100 * 10 ** power).toPrecision(1))} %`;
    return [
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y}" y2="${y}" stroke="#ddd"/>`,
      `<text x="${MARGIN.left - 6}" y="${y}" dy="4" text-anchor="end">${label}</text>`,
    ];
  });
  const columns = [0.1, 0.2, 0.3, 0.4].map((share) => {
    const place = `x="${xOf(share).toFixed(1)}" y="${HEIGHT - MARGIN.bottom + 18}"`;
    return `<text ${place} text-anchor="middle">${100 * share} %</text>`;
  });
  return [...rows, ...columns];
}
