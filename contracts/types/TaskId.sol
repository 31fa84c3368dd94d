// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Number of a task, given out by the task registry from 1 upwards. 0 names no task.
type TaskId is uint64;
