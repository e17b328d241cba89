-- A key (with its version, where versions are kept) that came more than once stands once in staging.
-- Only keys with a finding are looked at: the checks counted all the others once already.
{{ config(tags=['check']) }}

{% for table, contract in contract_tables().items() -%}
{{ 'union all' if not loop.first }}
select '{{ table }}' as table_name, cast(count(*) as bigint) as rows_with_the_key
from {{ ref('stg_' ~ table) }} as rows
where {{ is_among('rows', contract['key'], ref('chk_' ~ table), 'not _is_current or _warnings is not null') }}
group by {{ row_identity(contract) | join(', ') }}
having count(*) > 1
{% endfor %}
