-- The rules that the store keeps.
select rule from rule
