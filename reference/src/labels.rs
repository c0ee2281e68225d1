//! Cluster labels: a categorical column of `obs`, checked as the host checks it.

use dispatch::{Categorical, Dataset, Fault, Value};

use crate::args::{slot, type_error, value_error};

/// The categorical column `obs[key]`, with a code per cell that is -1 or names a category.
///
/// # Errors
/// `KeyError` if there is no such column, `TypeError` if it is not categorical, `ValueError` if its codes
/// do not fit its categories or the cells.
pub(crate) fn categorical<'a>(data: &'a Dataset, key: &str) -> Result<&'a Categorical, Fault> {
    let column = match slot(data, "obs", key)? {
        Value::Categorical(column) => column,
        other => {
            return Err(type_error(format!(
                "expected `adata.obs[{key:?}]` to be categorical, found {}; convert it with \
                 `.astype('category')`",
                other.type_name()
            )));
        }
    };
    let categories = column.categories.len().unwrap_or(0);
    let known = |&code: &i32| code == -1 || usize::try_from(code).is_ok_and(|c| c < categories);
    if let Some(cell) = column.codes.iter().position(|code| !known(code)) {
        let code = column.codes[cell];
        return Err(value_error(format!(
            "code {code} of cell {cell} in `adata.obs[{key:?}]`, expected -1 to {}",
            categories as i64 - 1
        )));
    }
    if column.codes.len() != data.n_obs() {
        let (labels, cells) = (column.codes.len(), data.n_obs());
        return Err(value_error(format!(
            "`adata.obs[{key:?}]` has {labels} labels for {cells} cells"
        )));
    }
    Ok(column)
}
