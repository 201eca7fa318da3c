//! Counts what a function costs to compile, independently of what it does when it runs.

use wasmparser::{BlockType, FunctionBody, Operator};

use super::module::Module;
use super::{CountError, Totals, count};

// For comparison: CPython, as componentize-py ships it, has 13,361 functions of up to 427 KB with up to 273 locals. The
// largest weight of a function is 167,000, locals times loops 8,500, and locals times branches 188,000; the totals are
// 3.1, 0.17 and 5.1 million.

/// The maximum number of bytes of one function.
const BODY_BYTES: u64 = 1 << 20;
/// The maximum number of locals of one function, including parameters.
const LOCALS: u64 = 10_000;
/// The maximum weight of one function: its instructions plus the values that they carry.
const WEIGHT: u64 = 1_000_000;
/// The maximum weight of all functions.
const TOTAL_WEIGHT: u64 = 50_000_000;
/// The maximum of locals times loops of one function: each loop may carry each local.
const LOCAL_LOOPS: u64 = 250_000;
/// The maximum of locals times loops of all functions.
const TOTAL_LOCAL_LOOPS: u64 = 4_000_000;
/// The maximum of locals times branches of one function: the compiler has a value for each pair.
const LOCAL_BRANCHES: u64 = 8_000_000;
/// The maximum of locals times branches of all functions.
const TOTAL_LOCAL_BRANCHES: u64 = 100_000_000;

/// The numbers of parameters and results of a function.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) params: u64,
    pub(super) results: u64,
}

/// Adds a function to the totals.
pub(super) fn count_function(
    body: &FunctionBody<'_>,
    signature: Signature,
    module: &Module,
    totals: &mut Totals,
) -> Result<(), CountError> {
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
        function.count_operator(&operators.read()?)?;
    }
    let mut local_loops = 0;
    let what = "locals times loops in one function";
    count(
        &mut local_loops,
        locals.saturating_mul(function.loops),
        LOCAL_LOOPS,
        what,
    )?;
    let mut local_branches = 0;
    let more = locals.saturating_mul(function.branches);
    count(
        &mut local_branches,
        more,
        LOCAL_BRANCHES,
        "locals times branches in one function",
    )?;
    let what = "locals times branches in all functions";
    count(
        &mut totals.local_branches,
        local_branches,
        TOTAL_LOCAL_BRANCHES,
        what,
    )?;
    let what = "locals times loops in all functions";
    count(
        &mut totals.local_loops,
        local_loops,
        TOTAL_LOCAL_LOOPS,
        what,
    )?;
    let what = "instructions and values that they carry";
    count(&mut totals.weight, function.weight, TOTAL_WEIGHT, what)
}

struct Function<'a> {
    module: &'a Module,
    signature: Signature,
    /// How many values a jump to each open label carries; the outermost label comes first.
    labels: Vec<u64>,
    weight: u64,
    loops: u64,
    branches: u64,
}

impl Function<'_> {
    fn count_operator(&mut self, operator: &Operator<'_>) -> Result<(), CountError> {
        let values_carried = self.values_carried(operator)?;
        let what = "instructions of one function and values that they carry";
        count(
            &mut self.weight,
            values_carried.saturating_add(1),
            WEIGHT,
            what,
        )
    }

    /// Returns how many values an instruction carries beyond the few operands of a simple instruction.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "all other instructions have few operands"
    )]
    fn values_carried(&mut self, operator: &Operator<'_>) -> Result<u64, CountError> {
        Ok(match operator {
            Operator::Block { blockty } | Operator::Try { blockty } => {
                self.open(*blockty, BlockKind::Block)
            }
            Operator::Loop { blockty } => {
                self.loops += 1;
                self.open(*blockty, BlockKind::Loop)
            }
            Operator::If { blockty } => {
                self.branches += 2;
                self.open(*blockty, BlockKind::Block)
            }
            Operator::TryTable { try_table } => {
                self.branches += try_table.catches.len() as u64;
                self.open(try_table.ty, BlockKind::Block)
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
                let mut values_carried = self.label(targets.default());
                for target in targets.targets() {
                    values_carried =
                        values_carried.saturating_add(self.label(target?).saturating_add(1));
                }
                self.branches += u64::from(targets.len()) + 1;
                values_carried
            }
            Operator::Return => self.signature.results,
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                let function = usize::try_from(*function_index).unwrap_or(usize::MAX);
                arity(self.module.signature(function))
            }
            Operator::CallIndirect { type_index, .. }
            | Operator::ReturnCallIndirect { type_index, .. }
            | Operator::CallRef { type_index }
            | Operator::ReturnCallRef { type_index } => {
                arity(self.module.signature_of(*type_index))
            }
            _ => 0,
        })
    }

    fn open(&mut self, block: BlockType, kind: BlockKind) -> u64 {
        self.branches += 1;
        let signature = match block {
            BlockType::Empty => Signature::default(),
            BlockType::Type(_) => Signature {
                params: 0,
                results: 1,
            },
            BlockType::FuncType(index) => self.module.signature_of(index),
        };
        self.labels.push(match kind {
            BlockKind::Block => signature.results,
            BlockKind::Loop => signature.params,
        });
        arity(signature)
    }

    fn label(&self, depth: u32) -> u64 {
        let depth = usize::try_from(depth).unwrap_or(usize::MAX);
        self.labels.iter().rev().nth(depth).copied().unwrap_or(0)
    }
}

#[derive(Clone, Copy)]
enum BlockKind {
    Block,
    Loop,
}

fn arity(signature: Signature) -> u64 {
    signature.params.saturating_add(signature.results)
}
