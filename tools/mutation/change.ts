/** The kinds of mutation. docs/assurance.md says what each does. */
export type Operator =
  | "arithmetic"
  | "relational"
  | "logical"
  | "bits"
  | "literal"
  | "negation"
  | "ternary"
  | "extremum"
  | "rounding"
  | "return"
  | "removal"
  | "assembly"
  | "modifier";

/** Another text for the bytes `start` to `end` of a file. */
export type Change = {
  operator: Operator;
  start: number;
  end: number;
  text: string;
  /** What stands for the whole expression where a removed one must leave an expression behind. */
  rest?: string | undefined;
};
