/**
 * qmail: rows by process and by delivery.
 */
import {
  D_NUMBER,
  D_ROW,
  DELIVERIES,
  DELIVERY_SIZE,
  DELIVERY_SLOTS,
  N_PLACE,
  N_QP,
  PROCESS_SLOTS,
  PROCESSES,
} from './layout';
import { numbersOf } from './rows';

/** Slots are counted from 1. */
export function deliverySlot(rowHost: i32, delivery: i32): i32 {
  return ((delivery + rowHost * 1031) & (DELIVERY_SLOTS - 1)) + 1;
}

export function deliveryAt(slot: i32): i32 {
  return DELIVERIES + (slot - 1) * DELIVERY_SIZE;
}

export function processSlot(rowHost: i32, qp: i32): i32 {
  return (qp + rowHost * 1031) & (PROCESS_SLOTS - 1);
}

/** qmail: the row of a process or of a delivery under way, or -1. */
export function rowOfProcess(rowHost: i32, qp: i32): i32 {
  const row = load<i32>(PROCESSES + (processSlot(rowHost, qp) << 2)) - 1;
  if (row < 0) return -1;
  const n = numbersOf(row);
  return load<i32>(n, N_QP) === qp && (load<i32>(n, N_PLACE) & 0xffff) === rowHost ? row : -1;
}

export function rowOfDelivery(rowHost: i32, delivery: i32): i32 {
  const d = deliveryAt(deliverySlot(rowHost, delivery));
  const row = load<i32>(d, D_ROW) - 1;
  if (row < 0 || load<i32>(d, D_NUMBER) !== delivery) return -1;
  return (load<i32>(numbersOf(row), N_PLACE) & 0xffff) === rowHost ? row : -1;
}
