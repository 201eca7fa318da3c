//! Weighs a function: what it makes the compiler hold, whatever it does when it runs.

use wasmparser::{BlockType, FunctionBody, Operator};

use super::module::Module;
use super::{Stop, Totals, count};

// CPython, as componentize-py ships it, has 13,361 functions of up to 427 KB with
// 273 locals; the heaviest weighs 167,000, spreads 8,500 and pairs 188,000, all
// together 3.1, 0.17 and 5.1 million.

/// Bytes of one function.
const BODY_BYTES: u64 = 1 << 20;
/// Locals of one function, parameters included.
const LOCALS: u64 = 10_000;
/// Instructions of one function and the values that they pass on.
const WEIGHT: u64 = 1_000_000;
/// The same of all functions.
const TOTAL_WEIGHT: u64 = 50_000_000;
/// Locals times loops of one function: each loop may carry each local.
const SPREAD: u64 = 250_000;
/// The same of all functions.
const TOTAL_SPREAD: u64 = 4_000_000;
/// Locals times branches of one function: the compiler keeps a value for each pair.
const PAIRS: u64 = 8_000_000;
/// The same of all functions.
const TOTAL_PAIRS: u64 = 100_000_000;

/// What a function takes and gives.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) params: u64,
    pub(super) results: u64,
}

/// Adds a function to the totals.
pub(super) fn weigh(
    body: &FunctionBody<'_>,
    signature: Signature,
    module: &Module,
    totals: &mut Totals,
) -> Result<(), Stop> {
    let mut bytes = 0;
    let size = body.as_bytes().len() as u64;
    count(&mut bytes, size, BODY_BYTES, "bytes in one function")?;
    let mut locals = 0;
    let what = "locals in one function";
    count(&mut locals, signature.params, LOCALS, what)?;
    for group in body.get_locals_reader()? {
        let (more, _) = group?;
        count(&mut locals, u64::from(more), LOCALS, what)?;
    }
    let mut function = Function {
        module,
        signature,
        labels: vec![signature.results],
        weight: 0,
        loops: 0,
        branches: 0,
    };
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        function.take(&operators.read()?)?;
    }
    let mut spread = 0;
    let what = "locals times loops in one function";
    count(
        &mut spread,
        locals.saturating_mul(function.loops),
        SPREAD,
        what,
    )?;
    let mut pairs = 0;
    let more = locals.saturating_mul(function.branches);
    count(
        &mut pairs,
        more,
        PAIRS,
        "locals times branches in one function",
    )?;
    let what = "locals times branches in all functions";
    count(&mut totals.pairs, pairs, TOTAL_PAIRS, what)?;
    let what = "locals times loops in all functions";
    count(&mut totals.spread, spread, TOTAL_SPREAD, what)?;
    let what = "instructions and values that they pass on";
    count(&mut totals.weight, function.weight, TOTAL_WEIGHT, what)
}

struct Function<'a> {
    module: &'a Module,
    signature: Signature,
    /// What a jump to each open label carries, the outermost first.
    labels: Vec<u64>,
    weight: u64,
    loops: u64,
    branches: u64,
}

impl Function<'_> {
    fn take(&mut self, operator: &Operator<'_>) -> Result<(), Stop> {
        let carried = self.carried(operator)?;
        let what = "instructions of one function and values that they pass on";
        count(&mut self.weight, carried.saturating_add(1), WEIGHT, what)
    }

    /// Returns the values that an instruction passes on, beyond the few that any takes and gives.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "all other instructions take and give a few values"
    )]
    fn carried(&mut self, operator: &Operator<'_>) -> Result<u64, Stop> {
        Ok(match operator {
            Operator::Block { blockty } | Operator::Try { blockty } => {
                self.open(*blockty, Opened::Block)
            }
            Operator::Loop { blockty } => {
                self.loops += 1;
                self.open(*blockty, Opened::Loop)
            }
            Operator::If { blockty } => {
                self.branches += 2;
                self.open(*blockty, Opened::Block)
            }
            Operator::TryTable { try_table } => {
                self.branches += try_table.catches.len() as u64;
                self.open(try_table.ty, Opened::Block)
            }
            Operator::Else => self.labels.last().copied().unwrap_or_default(),
            Operator::End => self.labels.pop().unwrap_or_default(),
            Operator::Br { relative_depth }
            | Operator::BrIf { relative_depth }
            | Operator::BrOnNull { relative_depth }
            | Operator::BrOnNonNull { relative_depth }
            | Operator::BrOnCast { relative_depth, .. }
            | Operator::BrOnCastFail { relative_depth, .. }
            | Operator::Delegate { relative_depth } => {
                self.branches += 1;
                self.label(*relative_depth)
            }
            Operator::BrTable { targets } => {
                let mut carried = self.label(targets.default());
                for target in targets.targets() {
                    carried = carried.saturating_add(self.label(target?).saturating_add(1));
                }
                self.branches += u64::from(targets.len()) + 1;
                carried
            }
            Operator::Return => self.signature.results,
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                let function = usize::try_from(*function_index).unwrap_or(usize::MAX);
                passed(self.module.signature(function))
            }
            Operator::CallIndirect { type_index, .. }
            | Operator::ReturnCallIndirect { type_index, .. }
            | Operator::CallRef { type_index }
            | Operator::ReturnCallRef { type_index } => {
                passed(self.module.signature_of(*type_index))
            }
            _ => 0,
        })
    }

    fn open(&mut self, block: BlockType, opened: Opened) -> u64 {
        self.branches += 1;
        let signature = match block {
            BlockType::Empty => Signature::default(),
            BlockType::Type(_) => Signature {
                params: 0,
                results: 1,
            },
            BlockType::FuncType(index) => self.module.signature_of(index),
        };
        self.labels.push(match opened {
            Opened::Block => signature.results,
            Opened::Loop => signature.params,
        });
        passed(signature)
    }

    fn label(&self, depth: u32) -> u64 {
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        self.labels.iter().rev().nth(depth).copied().unwrap_or(0)
    }
}

#[derive(Clone, Copy)]
enum Opened {
    Block,
    Loop,
}

fn passed(signature: Signature) -> u64 {
    signature.params.saturating_add(signature.results)
}
