{# Staging shows what the checks accepted: the contract's columns in order, the source's own, and where the row lies. #}
{% macro staged_rows(table) %}
{%- set checked = ref('chk_' ~ table) -%}
{%- set columns = contract_tables()[table]['columns'] | map(attribute='name') | list -%}
select
    {{ (columns + extra_columns(types_of(checked)) + ['_source', '_file_hash', '_row_number']) | join(',\n    ') }}
from {{ checked }}
where _is_current
{% endmacro %}
