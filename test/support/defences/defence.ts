/** What answers an attack, taken away: one place of a contract, and the Solidity test that must fail without it. */
export type Defence = {
  /** Below contracts/. */
  file: string;
  /** Occurs once in the file. */
  text: string;
  mutated: string;
  /** Below test/contracts/, without ".t.sol", and the function: "attacks/Votes#test_T10_...". */
  test: string;
};
