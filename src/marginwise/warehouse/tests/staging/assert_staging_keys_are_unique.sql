-- A key (with its version, where versions are kept) that came more than once stands once in staging.
-- Only keys with a finding are looked at: the checks counted all the others once already. In a kept run, those of rows that came:
-- all rows of one key come together, so that they are told beside each other, unless rows of an earlier run wait to be built as well.
{{ config(tags=['check']) }}

{% for table, contract in contract_tables().items() -%}
{%- set identity = row_identity(contract) | join(', ') -%}
{%- set came = changed('chk_' ~ table) -%}
{{ 'union all' if not loop.first }}
select '{{ table }}' as table_name, cast(count(*) as bigint) as rows_with_the_key
{%- if not is_kept() %}
from {{ ref('stg_' ~ table) }} as rows
where {{ is_among('rows', contract['key'], ref('chk_' ~ table), 'not _is_current or _warnings is not null') }}
{%- elif is_any(came ~ " where _run <> '" ~ invocation_id ~ "'") %}
from {{ ref('stg_' ~ table) }} as rows
where {{ is_among('rows', contract['key'], came, '_change = 1 and _is_current') }}
{%- else %}
from {{ came }} as rows
where _change = 1 and _is_current
{%- endif %}
group by {{ identity }}
having count(*) > 1
{% endfor %}
