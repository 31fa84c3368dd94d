import type { Defence } from "./defence.ts";

/** Stake, delegation, exits and keys. */
export const stakeDefences: readonly Defence[] = [
  {
    file: "libraries/Shares.sol",
    text: "if (act.open == NO_ROUND) {",
    mutated: "if (act.counted != type(uint256).max) {",
    test: "DelegatedStake#test_late_delegation_earns_nothing",
  },
  {
    file: "libraries/StakePool.sol",
    text: "if (open == NO_ROUND) self.active += amount;",
    mutated: "if (amount != 0) self.active += amount;",
    test: "Stake#test_stake_joinsIfARoundIsOpen",
  },
  {
    file: "Staking.sol",
    text: "_requireUnlocked(_dues[task][operator].unlockAt);",
    mutated: "",
    test: "attacks/Funds#test_T14_flashStakeCannotLeave",
  },
  {
    file: "libraries/StakePool.sol",
    text: "exposed = open != NO_ROUND && fromActive != 0;",
    mutated: "exposed = open != NO_ROUND && fromActive != fromActive;",
    test: "RequestExit#test_requestExit_isSlashedExactlyItsShare",
  },
  {
    file: "libraries/Shares.sol",
    text: "exposed = act.open != NO_ROUND && shares != 0;",
    mutated: "exposed = act.open != NO_ROUND && shares != shares;",
    test: "DelegatedStake#test_exit_beforeSettlementIsSlashedItsShareAndPaidNothing",
  },
  {
    file: "Ledger.sol",
    text: "s.sums.move(own.role, before, StakePool.weightOf(own.countsNext(), 0, s.scale));",
    mutated: "s.sums.move(own.role, before, before);",
    test: "RequestExit#test_settleThenOpen_inOneBlockUsesTheSlashedWeight",
  },
  {
    file: "libraries/StakePool.sol",
    text: "if (self.leaveRound != open) {",
    mutated: "if (open == NO_ROUND) {",
    test: "RequestExit#test_requestExit_ofEarlierRoundsIsNotSlashed",
  },
  {
    file: "Staking.sol",
    text: "return block.timestamp >= uint256(_pools[task].lastDeadline) + unbonding;",
    mutated: "return block.timestamp >= uint256(_pools[task].lastDeadline) + unbonding + 365 days;",
    test: "Withdraw#test_withdraw_escapesFromARoundThatNobodySettles",
  },
  {
    file: "libraries/StakePool.sol",
    text: "own + Math.min(delegated, own * scale.maxLeverage)",
    mutated: "own + delegated",
    test: "DelegatedStake#test_leverage_isCapped",
  },
  {
    file: "Staking.sol",
    text: "require(delegated.isEmpty(), AlreadyDelegated(msg.sender));",
    mutated: "",
    test: "AcceptDelegation#test_commission_isFrozenWhileAnythingIsDelegated",
  },
  {
    file: "libraries/Signers.sol",
    text: "RoundId.unwrap(round) >= RoundId.unwrap(self.from) ? self.signer : self.previous",
    mutated: "RoundId.unwrap(round) != type(uint32).max ? self.signer : self.previous",
    test: "CommitProposal#test_commitProposal_takesTheOldSignerUntilTheNextRound",
  },
  {
    file: "Staking.sol",
    text: "caller == operator || (caller != address(0) && caller == signerOf(task, operator))",
    mutated: "caller == operator || (caller != address(0) && signerOf(task, operator) != address(0))",
    test: "attacks/Copies#test_F21_whoNamesASignersAddressFirstBlocksNobody",
  },
  {
    file: "libraries/Shares.sol",
    text: "return Math.ceilDiv(delta * pool.shares, 1 << INDEX_BITS);",
    mutated: "return (delta * pool.shares) >> INDEX_BITS;",
    test: "libraries/Shares#test_rewards_countedAtOnceAreNotMoreThanWhatWasCredited",
  },
  {
    file: "libraries/Shares.sol",
    text: "return amount == 0 ? 0 : (amount << FACTOR_BITS) / factor;",
    mutated: "return amount == 0 ? 0 : ((amount << FACTOR_BITS) / factor) & ~uint256(1);",
    test: "DelegatedStake#test_inflation_byAFirstWeiHarmsNobody",
  },
  {
    file: "libraries/Shares.sol",
    text: "if (factor >= FACTOR_MIN) return end;",
    mutated: "if (factor <= FACTOR_ONE) return end;",
    test: "DelegatedStake#test_wipedPool_isRefilledWithoutTouchingOldShares",
  },
  {
    file: "libraries/WeightSums.sol",
    text: "sums.trainers = sums.trainers + afterwards - before;",
    mutated: "sums.trainers = sums.trainers + afterwards - (afterwards == 0 ? 0 : before);",
    test: "attacks/Stakes#test_P4_exitsMoveNobodyElse",
  },
  {
    file: "libraries/Delegation.sol",
    text: "Mark memory then = pending == self.pool.pendingRound ? mark : self.marks[pending];",
    mutated: "Mark memory then = mark;",
    test: "attacks/Stakes#test_P5_aStrangersLookBetweenTwoFaultsChangesNothing",
  },
  {
    file: "Rounds.sol",
    text: "Commitments.proposal(address(this), task, self.number, operator, artifact, salt)",
    mutated: "Commitments.proposal(address(this), task, self.number, msg.sender, artifact, salt)",
    test: "CommitProposal#test_rotation_between_seal_and_open",
  },
];
